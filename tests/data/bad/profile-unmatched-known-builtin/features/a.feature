Feature: Own
  Scenario: A suite of the project takes the place of the one that is built in
    When I ask "Hello!"
    Then the reply is not empty
