Feature: Capitals
  Scenario: It knows France
    Given the status is 200
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
