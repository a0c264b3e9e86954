Feature: Capitals
  Scenario: It knows France
    When I ask "What is the capital of France?"
    Than the reply is not empty
    Then the reply mentions "Paris"
