Feature: Capitals
  Scenario: It knows France
    Given replies are <delivery>
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
